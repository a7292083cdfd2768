// The report at the end of a test run about tests that were left out.
import { expect, test } from 'vitest'
import { leftOut } from './left-out.js'

const one = { tests: 'a', isThere: false, files: /a\.test/, remedy: 'install x' }

test('a run names the tests it left out and how to enable them, but only those it was asked to run', () => {
  const all = [
    one,
    { ...one, tests: 'b', files: /b\.test/ },
    { ...one, tests: 'c', files: /c\.test/, remedy: 'set Y' },
    { ...one, tests: 'd', files: /d\.test/, isThere: true },
  ]
  const files = ['a', 'b', 'c', 'd'].map((name) => `/test/${name}.test.ts`)
  expect(leftOut(files, all)).toMatch(/: tests of a and b \(install x\); c \(set Y\)$/)
  expect(leftOut(files.slice(2, 3), all)).toMatch(/: tests of c \(set Y\)$/)
  expect(leftOut(files.slice(3), all)).toBeUndefined()
})

test('nothing is reported if nothing is missing', () => {
  expect(leftOut(['/test/a.test.ts'], [{ ...one, isThere: true }])).toBeUndefined()
})
