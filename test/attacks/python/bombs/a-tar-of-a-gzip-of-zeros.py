# id: a-tar-of-a-gzip-of-zeros
# title: a tar of a gzip of zeros ends in an error within the limits
# level: L1
# class: bombs
# expect: error
# control: outcome
# limits: {"memoryBytes":67108864,"fileBytes":4194304}
# timeout-ms: 4000
# rss-mib: 800

import io, tarfile
b = io.BytesIO()
with tarfile.open(fileobj=b, mode='w:gz') as t:
  i = tarfile.TarInfo('x'); i.size = 2**20; t.addfile(i, io.BytesIO(bytes(2**20)))
for n in range(9):
  b.seek(0); tarfile.open(fileobj=b).extractall(f'/tmp/{n}', filter='data')
