# id: nested-archives
# title: archives nested a hundred levels deep are unpacked within the limits
# level: L1
# class: bombs
# expect: any
# control: none the claim is the bound
# limits: {"memoryBytes":67108864}
# timeout-ms: 300

import io, zipfile
data = bytes(2**20)
for n in range(100):
    out = io.BytesIO()
    with zipfile.ZipFile(out, 'w', zipfile.ZIP_DEFLATED) as z:
        for m in range(8): z.writestr(str(m), data)
    data = out.getvalue()
    if len(data) > 2**25: break
def unpack(data):
    for info in zipfile.ZipFile(io.BytesIO(data)).infolist():
        found.append(zipfile.ZipFile(io.BytesIO(data)).read(info))
        if found[-1][:2] == b'PK': unpack(found[-1])
found = []
try: unpack(data)
except MemoryError: pass
