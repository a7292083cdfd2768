# id: names-and-numbers-of-the-process
# title: names and numbers of the process are the same everywhere
# level: L1
# class: host-facts
# expect: result ['emscripten', 'emscripten', 'emscripten', 42, 1, 0]
# control: none it lists what there is

import os, platform, socket
[platform.node(), socket.gethostname(), os.uname().nodename, os.getpid(), os.getppid(), os.getuid()]
