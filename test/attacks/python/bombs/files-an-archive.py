# id: files-an-archive
# title: unpacking an archive again and again stops with an error at the limit
# level: L1
# class: bombs
# expect: python OSError OverflowError OperationalError FileNotFoundError BlockingIOError
# control: outcome
# limits: {"fileBytes":4194304}
# timeout-ms: 15000

import io, zipfile
b = io.BytesIO()
with zipfile.ZipFile(b, 'w', zipfile.ZIP_DEFLATED) as z: z.writestr('x', bytes(2**21))
for i in range(9): zipfile.ZipFile(b).extractall(f'/tmp/{i}')
