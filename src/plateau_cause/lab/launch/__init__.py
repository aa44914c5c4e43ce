"""Where arms are trained: here, or on Ray, Slurm, Dask; one file each, all behind `concurrent.futures`."""
