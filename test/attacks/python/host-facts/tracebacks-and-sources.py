# id: tracebacks-and-sources
# title: no traceback, source or module file names the host
# level: L1
# class: host-facts
# expect: any
# control: none it tells what there is; the canaries would show

import inspect, sys, traceback
texts = [traceback.format_stack(), [getattr(module, '__file__', '') for module in [*sys.modules.values()]]]
for module in [*sys.modules.values()]:
    try: texts.append(inspect.getsourcefile(module))
    except TypeError: pass
try: exec(compile('1/0', 'x', 'exec'))
except ZeroDivisionError as error: texts.append(traceback.format_exception(error))
str(texts)[:3900]
