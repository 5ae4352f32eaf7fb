noao
imred
ccdred
ccdred.pixeltype = "real real"
ccdproc("@frames.txt",output="@outputs.txt",ccdtype="",max_cache=0,noproc=no,fixpix=no,overscan=yes,trim=yes,zerocor=yes,darkcor=yes,flatcor=yes,readaxis="line",biassec="{biassec}",trimsec="{trimsec}",zero="bias.fits",dark="dark.fits",flat="flat.fits",function="median",interactive=no)
logout
