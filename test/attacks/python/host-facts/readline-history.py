# id: readline-history
# title: readline and cmd read no history of the host
# level: L1
# class: host-facts
# expect: any
# control: none plain Pyodide does not give it either

for name in ('readline', 'rlcompleter', 'cmd', 'pydoc', 'webbrowser', 'getpass', 'curses', 'turtle', 'idlelib', 'ensurepip', 'venv'):
    try: __import__(name)
    except Exception: pass
try:
    import readline
    readline.read_history_file(SECRET)
except Exception: pass
try:
    import getpass
    print(getpass.getuser())
except Exception: pass
