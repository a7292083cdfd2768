import { hostname } from 'node:os'
import { fileURLToPath } from 'node:url'
import { beforeAll, describe, expect, inject, test } from 'vitest'
import type { Image } from '../../src/shared/image/image.js'
import { INTERPRETER_EXPORTS } from '../../workers/interpreter/exports.js'
import { openImage, readable, runPython } from './built.js'

const ROOT = fileURLToPath(new URL('../..', import.meta.url)).replace(/[/\\]$/, '')
let image: Image
let bytes: Buffer
beforeAll(async () => {
  image = await openImage({ cacheDir: inject('cacheDir') })
  bytes = allBytes(image)
})

/** Reads all bytes of the image's memory runs, file table and files. */
function allBytes(image: Image): Buffer {
  const memory = image.fileTable.offset
  const all = Buffer.alloc(memory + image.fileContents.length)
  const { bytes } = readable(image)
  bytes.read(0, all, 0, memory)
  bytes.read(memory, all, memory, image.fileContents.length)
  return all
}

describe('the image', () => {
  test('contains nothing of the machine that built it', () => {
    for (const text of [ROOT, process.execPath, process.version, inject('cacheDir')])
      expect(bytes.includes(text), text).toBe(false)
    if (hostname().length > 6) expect(bytes.includes(hostname())).toBe(false)
  })

  test('exports only what the interpreter uses', () => {
    const names = WebAssembly.Module.exports(image.module).map(({ name }) => name)
    const state = [
      'state global 281',
      'state global 282',
      'state global 283',
      'state table 1',
      'state table 2',
    ]
    expect(names.sort()).toEqual([...INTERPRETER_EXPORTS, ...state].sort())
  })

  test('records no all-zero pages', () => {
    const zero = Buffer.alloc(4096)
    const runBytes = image.runs.reduce((sum, number, i) => (i % 2 === 0 ? sum : sum + number), 0)
    for (let at = 0; at < runBytes; at += 4096) expect(zero.equals(bytes.subarray(at, at + 4096))).toBe(false)
  })

  test('has no trace of the build in its environment', () => {
    expect(runPython(image, 'import os; print(sorted(os.environ), os.getcwd())')).toBe(
      `${JSON.stringify(Object.keys(image.env).sort()).replaceAll('"', "'").replaceAll(',', ', ')} ${image.cwd}\n`,
    )
  })

  test('A11: can import every module of the standard library except ctypes', () => {
    const code = `
import sys, warnings, zipfile
warnings.simplefilter('ignore')
def is_test(name): return name.startswith('_test') or name.startswith('_xx') or name in ('xxsubtype', 'antigravity', 'this')
archive = {n.split('/')[0].removesuffix('.pyc').removesuffix('.py') for n in zipfile.ZipFile('/lib/python314.zip').namelist()}
wanted = (archive & set(sys.stdlib_module_names)) | set(sys.builtin_module_names)
for name in sorted(n for n in wanted if not is_test(n)):
    try: __import__(name)
    except BaseException as e: print(name, type(e).__name__)
print(len(wanted) > 200)
`
    // ctypes is left out on purpose, because it can call any address.
    const lines = runPython(image, code).trim().split('\n')
    expect(lines.filter((line) => !/^_?ctypes ModuleNotFoundError$/.test(line))).toEqual(['True'])
  })

  test('cannot import the bridge to JavaScript', () => {
    const code = `
for name in ('js', 'pyodide', 'pyodide_js', '_pyodide', '_pyodide_core'):
    try: __import__(name)
    except ImportError as e: print(type(e).__name__)
`
    expect(runPython(image, code)).toBe('ModuleNotFoundError\n'.repeat(5))
  })
})

describe('A11: zoneinfo', () => {
  const ZONES = [
    'Europe/Berlin',
    'Europe/London',
    'Europe/Dublin',
    'America/New_York',
    'America/Los_Angeles',
    'America/St_Johns',
    'America/Sao_Paulo',
    'Asia/Kolkata',
    'Asia/Kathmandu',
    'Asia/Tokyo',
    'Asia/Jerusalem',
    'Australia/Sydney',
    'Australia/Lord_Howe',
    'Pacific/Auckland',
    'Pacific/Apia',
    'Africa/Johannesburg',
    'Etc/GMT+5',
  ]

  test('agrees with Intl on the offset of every week from 1970 to 2050', () => {
    const code = `
import datetime, zoneinfo
start = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
for name in ${JSON.stringify(ZONES)}:
    zone = zoneinfo.ZoneInfo(name)
    offsets = ((start + datetime.timedelta(weeks=w)).astimezone(zone).utcoffset() for w in range(80 * 52))
    print(name, *(int(o.total_seconds()) // 60 for o in offsets))
`
    for (const line of runPython(image, code).trim().split('\n')) {
      const [name = '', ...minutes] = line.split(' ')
      const format = new Intl.DateTimeFormat('en', { timeZone: name, timeZoneName: 'longOffset' })
      const expected = minutes.map((_, week) => intlOffsetMinutes(format, week * 7 * 86_400_000))
      expect({ name, minutes: minutes.map(Number) }).toEqual({ name, minutes: expected })
    }
  })

  test('has abbreviations, daylight saving, and years beyond any list of transitions', () => {
    const code = `
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones
for name, year in (('Europe/Berlin', 2026), ('America/New_York', 2150), ('Australia/Sydney', 1999)):
    for month in (1, 7):
        moment = datetime(year, month, 1, tzinfo=ZoneInfo(name))
        print(moment.tzname(), moment.dst() == timedelta(hours=1), moment.utcoffset())
print(len(available_timezones()) > 500, 'Europe/Kyiv' in available_timezones())
try: ZoneInfo('Nowhere/None')
except Exception as e: print(type(e).__name__)
`
    expect(runPython(image, code)).toBe(
      [
        'CET False 1:00:00',
        'CEST True 2:00:00',
        'EST False -1 day, 19:00:00',
        'EDT True -1 day, 20:00:00',
        'AEDT True 11:00:00',
        'AEST False 10:00:00',
        'True True',
        'ZoneInfoNotFoundError',
        '',
      ].join('\n'),
    )
  })

  function intlOffsetMinutes(format: Intl.DateTimeFormat, epochMs: number): number {
    const text = format.formatToParts(epochMs).find(({ type }) => type === 'timeZoneName')?.value ?? ''
    const [, sign, hours = '0', minutes = '0'] = /^GMT(?:([+-])(\d+):(\d+))?/.exec(text) ?? []
    return (sign === '-' ? -1 : 1) * (Number(hours) * 60 + Number(minutes)) + 0
  }
})
