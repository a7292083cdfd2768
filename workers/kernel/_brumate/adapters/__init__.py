"""What the kernel adds to libraries, a module for each: see `hooks`. None is imported before its library is."""
