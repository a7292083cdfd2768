// `node scripts/count.mjs REPORT...`: prints the last line of CI, `N passed, N failed`, summed over vitest's JSON reports. A
// missing report counts as one failure, and so does a file whose tests could not be collected.
import { readFileSync } from 'node:fs'

let passed = 0
let failed = 0
for (const path of process.argv.slice(2)) {
  const report = read(path)
  passed += report?.numPassedTests ?? 0
  failed += report ? report.numFailedTests + uncollected(report) : 1
  const skipped = (report?.numPendingTests ?? 0) + (report?.numTodoTests ?? 0)
  console.log(
    report
      ? `${path}: ${report.numPassedTests} passed, ${report.numFailedTests} failed, ${skipped} skipped`
      : `${path}: missing`,
  )
}
console.log(`${passed} passed, ${failed} failed`)
process.exitCode = failed === 0 && passed > 0 ? 0 : 1

function read(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'))
  } catch {
    return undefined
  }
}

function uncollected({ testResults }) {
  return testResults.filter(({ status, assertionResults }) => {
    return status === 'failed' && assertionResults.every((test) => test.status !== 'failed')
  }).length
}
