# Called like the package that it imports.
