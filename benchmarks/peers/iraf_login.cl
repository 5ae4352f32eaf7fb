set home = "./"
set imdir = "./"
set uparm = "./uparm/"
set userid = "bench"
set imtype = "fits"
set stdimage = imt4096
stty xterm
keep
