# A program that is only named here, not run.
