# id: door-by-other-calls
# title: the descriptor for blocking calls accepts only writes
# level: L1
# class: interpreter
# expect: any
# control: none only a write means something

import fcntl, mmap, os
DOOR = 0x3FFFFFFF
for call in (os.fstat, os.dup, os.fsync, os.close, os.isatty, os.fdopen, lambda fd: os.read(fd, 9), lambda fd: os.dup2(fd, 5), lambda fd: os.dup2(1, fd), lambda fd: os.ftruncate(fd, 9), lambda fd: os.lseek(fd, 0, 0), lambda fd: mmap.mmap(fd, 9), lambda fd: os.pwrite(fd, b'x', 0), lambda fd: os.sendfile(1, fd, 0, 9), lambda fd: os.writev(fd, [b'x'] * 9), lambda fd: fcntl.flock(fd, 2)):
    try: call(DOOR)
    except (OSError, AttributeError, ValueError, OverflowError): pass
print('on')
