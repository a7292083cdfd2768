# id: faulthandler-dump
# title: a dump of faulthandler names no path of the host
# level: L1
# class: host-facts
# expect: any
# control: none it tells what there is; the canaries would show

import faulthandler, sys
for call in (lambda: faulthandler.dump_traceback(all_threads=True), lambda: faulthandler.enable(), lambda: faulthandler.register(10), lambda: faulthandler.dump_traceback_later(0.01), lambda: faulthandler.dump_c_stack()):
    try: call()
    except Exception: pass
