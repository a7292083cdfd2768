# id: zipimport-and-loaders
# title: loaders read no file of the host
# level: L1
# class: host-files
# expect: result
# control: none plain Pyodide does not give it either
# evidence: leak

import importlib.machinery, runpy, zipimport, linecache, tokenize
for read in (
    lambda: zipimport.zipimporter(SECRET),
    lambda: runpy.run_path(SECRET),
    lambda: importlib.machinery.SourceFileLoader('x', SECRET).get_data(SECRET),
    lambda: importlib.machinery.ExtensionFileLoader('x', SECRET).load_module(),
    lambda: tokenize.open(SECRET).read(),
):
    try: print(read())
    except (OSError, ImportError): pass
print(linecache.getlines(SECRET))
