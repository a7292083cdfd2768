// What a test run says at its end about tests that it left out.
import { expect, test } from 'vitest'
import { leftOut } from './left-out.js'

const one = { tests: 'a', isThere: false, files: /a\.test/, remedy: 'install x' }

test('a run names what it left out and how to have it, and nothing that it was not asked for', () => {
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

test('where nothing is missing, nothing is said', () => {
  expect(leftOut(['/test/a.test.ts'], [{ ...one, isThere: true }])).toBeUndefined()
})
