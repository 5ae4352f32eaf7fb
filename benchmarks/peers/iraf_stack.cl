images
immatch
imcombine("@frames.txt","stacked.fits",combine="average",reject="sigclip",mclip=yes,lsigma=3.,hsigma=3.,nkeep=1,outtype="real",logfile="",scale="none",zero="none",weight="none",grow=0.,masktype="none",offsets="none",headers="",bpmasks="",rejmasks="",nrejmasks="",expmasks="",sigmas="",imcmb="",project=no)
logout
