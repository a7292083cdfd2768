// A shell for an agent: Python and the shell's own commands work on the same files. The commands stand in for a model.
//
// In a clone, after `npm run build`: `node examples/run.mjs just-bash`
import { SessionManager } from 'brumate'
import { pythonCommands } from 'brumate/just-bash'
import { Bash } from 'just-bash'

const commands = [
  `cat > totals.py <<'END'
import csv, json, sys
from collections import Counter

totals = Counter()
for row in csv.DictReader(sys.stdin):
    totals[row['region']] += int(row['amount'])
with open('totals.json', 'w') as file:
    json.dump(totals, file)
print(len(totals), 'regions')
END`,
  'python3 totals.py < sales.csv && jq .north totals.json',
  `python3 -c 'import json; print(json.load(open("totals.json"))["west"])'`,
  'echo "exit code $?" && ls',
]

await using manager = await SessionManager.create({ slots: 2 })
const bash = new Bash({
  files: { '/home/user/sales.csv': 'region,amount\nnorth,120\nsouth,80\nnorth,40\n' },
  cwd: '/home/user',
  customCommands: pythonCommands({ manager }),
})
for (const command of commands) {
  const { stdout, stderr, exitCode } = await bash.exec(command)
  console.log(`$ ${command.split('\n')[0]}`)
  if (stdout !== '') console.log(stdout.trimEnd())
  if (exitCode !== 0) console.log(`${stderr.trimEnd().split('\n').at(-1)} (exit code ${exitCode})`)
}
