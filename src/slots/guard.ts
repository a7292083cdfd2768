// Validates the messages of a slot's thread, all of which are untrusted (R3). A message is either rebuilt field by field as a type of
// src/shared/messages/slot.ts, or is a violation that ends the slot. Owns the shapes; channel.ts reacts to them.

import { constants } from 'node:buffer'
import type { FileChanges, RunReport, SlotEvent, SlotReply } from '../shared/messages/slot.js'
import type { FileStatus } from '../shared/messages/storage.js'
import { isArrayBuffer, isPlainObject, isUint8Array } from '../shared/realms.js'
import { startOf } from '../shared/thrown.js'

/** Limits for one message. A worker that sends more no longer runs our code. */
const MAX_TEXT_LENGTH = constants.MAX_STRING_LENGTH
const MAX_REASON_LENGTH = 2000
const MAX_ID_LENGTH = 200
/** Limit for milliseconds and bytes; a histogram accepts no more. */
const MAX_NUMBER = 2 ** 40
const HASH_BYTES = 32
/** Limit for a description and for the values of globals. The kernel's own limit for each is a mebibyte. */
const MAX_DESCRIPTION_BYTES = 2 ** 21
const MAX_FILES = 1000
const MAX_PATH_LENGTH = 4096
/** Limit in characters for all names of one directory together. */
const MAX_NAMES_LENGTH = 2 ** 25
const MAX_CODE_LENGTH = 20
/** Milliseconds since 1970 that a Date can hold. */
const MAX_TIME_MS = 8.64e15
/** Parts of one message of live output. A slot sends a message before its output has this many bytes. */
const MAX_OUTPUT_PARTS = 65_537
/** Blocks of a snapshot. A snapshot of 4 GiB has fewer. */
const MAX_BLOCKS = 2 ** 19

/** A message that our own code in a slot never sends. */
export class ProtocolViolation extends Error {
  override readonly name = 'ProtocolViolation'
}

export type SlotMessage =
  | { readonly kind: 'event'; readonly event: SlotEvent }
  /** A Comlink reply: `id` names the request. */
  | { readonly kind: 'reply'; readonly id: string; readonly reply: SlotReply }

/** @throws ProtocolViolation */
export function guard(raw: unknown): SlotMessage {
  const message = fields(raw)
  if (Object.hasOwn(message, 'event')) return { kind: 'event', event: guardEvent(message) }
  const id = field(message, 'id')
  if (typeof id !== 'string' || id.length > MAX_ID_LENGTH)
    throw new ProtocolViolation('a reply without an id')
  if (field(message, 'type') !== 'RAW') throw new ProtocolViolation('a reply that is not plain data')
  return { kind: 'reply', id, reply: guardReply(fields(field(message, 'value'))) }
}

function guardEvent(message: Fields): SlotEvent {
  switch (field(message, 'event')) {
    case 'ready':
      return { event: 'ready' }
    case 'output': {
      const stream = field(message, 'stream')
      if (stream !== 1 && stream !== 2) throw new ProtocolViolation('output of an unknown stream')
      const whole = text(message, 'text', MAX_TEXT_LENGTH)
      const event = { event: 'output', id: number(message, 'id'), stream, text: whole } as const
      const lengths = field(message, 'lengths')
      return lengths === undefined ? event : { ...event, lengths: partLengths(lengths, whole.length) }
    }
    case 'display':
      return { event: 'display', id: number(message, 'id'), display: bytes(message, 'display') }
    case 'calls':
      return {
        event: 'calls',
        id: number(message, 'id'),
        batch: number(message, 'batch'),
        calls: bytes(message, 'calls'),
        takenBytes: number(message, 'takenBytes'),
      }
    default:
      throw new ProtocolViolation('an unknown event')
  }
}

function guardReply(message: Fields): SlotReply {
  switch (field(message, 'kind')) {
    case 'outcome': {
      const exceeded = field(message, 'exceeded')
      if (exceeded !== null && exceeded !== 'outputBytes' && exceeded !== 'maxMemoryBytes')
        throw new ProtocolViolation('an unknown limit')
      const outcome = {
        kind: 'outcome',
        payload: field(message, 'payload') === null ? null : bytes(message, 'payload'),
        // A literal with one shape instead of a spread, which takes several times as long. This runs for every execution.
        stdout: text(message, 'stdout', MAX_TEXT_LENGTH),
        stderr: text(message, 'stderr', MAX_TEXT_LENGTH),
        durationMs: number(message, 'durationMs'),
        memoryBytes: number(message, 'memoryBytes'),
        peakMemoryBytes: number(message, 'peakMemoryBytes'),
        fileBytes: number(message, 'fileBytes'),
        outputBytes: number(message, 'outputBytes'),
        takenBytes: number(message, 'takenBytes'),
        exceeded,
      } as const
      const changes = field(message, 'changes')
      return changes === undefined ? outcome : { ...outcome, changes: fileChanges(fields(changes)) }
    }
    case 'suspended': {
      const changes = field(message, 'changes')
      const run = { kind: 'suspended', ...guardRun(message) } as const
      return changes === undefined ? run : { ...run, changes: fileChanges(fields(changes)) }
    }
    case 'file':
      return {
        kind: 'file',
        bytes: field(message, 'bytes') === null ? null : bytes(message, 'bytes'),
        names: field(message, 'names') === null ? null : text(message, 'names', MAX_NAMES_LENGTH),
        status: field(message, 'status') === null ? null : fileStatus(fields(field(message, 'status'))),
        node: number(message, 'node'),
      }
    case 'file-error': {
      const code = text(message, 'code', MAX_CODE_LENGTH)
      if (!/^E[A-Z0-9]+$/.test(code)) throw new ProtocolViolation('an invalid error code')
      return { kind: 'file-error', code }
    }
    case 'captured':
      return {
        kind: 'captured',
        body: ownBytes(message, 'body'),
        plan: field(message, 'plan') === null ? null : plan(field(message, 'plan')),
        bodyHash: bytes(message, 'bodyHash', HASH_BYTES),
        rawBytes: number(message, 'rawBytes'),
        memoryBytes: number(message, 'memoryBytes'),
        description: bytes(message, 'description', MAX_DESCRIPTION_BYTES),
        values: bytes(message, 'values', MAX_DESCRIPTION_BYTES),
        files: files(field(message, 'files')),
        returnedBytes: number(message, 'returnedBytes'),
      }
    case 'refused': {
      const reason = field(message, 'reason')
      if (reason !== 'corrupt' && reason !== 'too-large' && reason !== 'not-captured' && reason !== 'no-room')
        throw new ProtocolViolation('an unknown reason')
      return { kind: 'refused', reason, message: printable(text(message, 'message', MAX_REASON_LENGTH)) }
    }
    case 'died':
      return { kind: 'died', reason: printable(text(message, 'reason', MAX_REASON_LENGTH)) }
    case 'reverted':
      return { kind: 'reverted', done: field(message, 'done') === true }
    default:
      throw new ProtocolViolation('an unknown kind of reply')
  }
}

/** The part of a reply that every execution reports, whatever its outcome. */
function guardRun(message: Fields): RunReport {
  return {
    stdout: text(message, 'stdout', MAX_TEXT_LENGTH),
    stderr: text(message, 'stderr', MAX_TEXT_LENGTH),
    durationMs: number(message, 'durationMs'),
    memoryBytes: number(message, 'memoryBytes'),
    peakMemoryBytes: number(message, 'peakMemoryBytes'),
    fileBytes: number(message, 'fileBytes'),
    outputBytes: number(message, 'outputBytes'),
    takenBytes: number(message, 'takenBytes'),
  }
}

/** A plain object, as structured cloning creates it: its fields are data, and reading them runs no code. */
type Fields = Readonly<Record<string, unknown>>

function fields(raw: unknown): Fields {
  if (typeof raw !== 'object' || raw === null || !isPlainObject(raw)) {
    throw new ProtocolViolation('a message that is not a plain object')
  }
  if (Object.keys(raw).length > 16) throw new ProtocolViolation('a message with too many fields')
  return raw as Fields
}

/** Reads an own field, never one of a prototype. */
function field(message: Fields, name: string): unknown {
  return Object.hasOwn(message, name) ? message[name] : undefined
}

function number(message: Fields, name: string, max = MAX_NUMBER, min = 0): number {
  const value = field(message, name)
  if (typeof value !== 'number' || !(value >= min && value <= max))
    throw new ProtocolViolation(`${name} is not a number`)
  return value
}

function text(message: Fields, name: string, maxLength: number): string {
  const value = field(message, name)
  if (typeof value !== 'string' || value.length > maxLength)
    throw new ProtocolViolation(`${name} is not a string, or is too long`)
  return value
}

function bytes(message: Fields, name: string, maxBytes = Number.POSITIVE_INFINITY): Uint8Array {
  const value = field(message, name)
  // Shared memory could change after it was checked.
  if (!isUint8Array(value) || !isArrayBuffer(value.buffer) || value.byteLength > maxBytes) {
    throw new ProtocolViolation(`${name} is not a plain, unshared Uint8Array, or is too large`)
  }
  return value
}

/** Bytes that fill their buffer, whose length is fixed. So keeping them keeps no more memory than is counted. */
function ownBytes(message: Fields, name: string): Uint8Array {
  const value = bytes(message, name)
  if (value.byteLength !== value.buffer.byteLength || (value.buffer as ArrayBuffer).resizable)
    throw new ProtocolViolation(`${name} does not fill its buffer`)
  return value
}

function plan(raw: unknown): Uint32Array {
  if (!(raw instanceof Uint32Array) || !(raw.buffer instanceof ArrayBuffer) || raw.length > MAX_BLOCKS)
    throw new ProtocolViolation('a plan that is not a list of blocks')
  return raw
}

function partLengths(raw: unknown, length: number): Uint32Array {
  if (!(raw instanceof Uint32Array) || !(raw.buffer instanceof ArrayBuffer) || raw.length > MAX_OUTPUT_PARTS)
    throw new ProtocolViolation('lengths are not a list of numbers')
  let sum = 0
  for (const part of raw) sum += part
  if (sum !== length || raw.includes(0))
    throw new ProtocolViolation('lengths do not match the parts of the text')
  return raw
}

function files(raw: unknown): { path: string; sizeBytes: number }[] {
  if (!Array.isArray(raw) || raw.length > MAX_FILES) throw new ProtocolViolation('files are not a list')
  return raw.map((entry) => {
    const file = fields(entry)
    return { path: text(file, 'path', MAX_PATH_LENGTH), sizeBytes: number(file, 'sizeBytes') }
  })
}

function fileChanges(message: Fields): FileChanges {
  const list = field(message, 'files')
  if (!Array.isArray(list) || list.length > MAX_FILES)
    throw new ProtocolViolation('changed files are not a list')
  const files = list.map((entry) => {
    const file = fields(entry)
    const change = field(file, 'change')
    if (change !== 'created' && change !== 'changed' && change !== 'removed')
      throw new ProtocolViolation('an unknown change')
    return {
      path: text(file, 'path', MAX_PATH_LENGTH),
      change,
      sizeBytes: number(file, 'sizeBytes'),
    } as const
  })
  return { files, more: number(message, 'more') }
}

function fileStatus(message: Fields): FileStatus {
  const kind = field(message, 'kind')
  if (kind !== 'file' && kind !== 'directory' && kind !== 'symlink')
    throw new ProtocolViolation('an unknown kind of file')
  return {
    kind,
    sizeBytes: number(message, 'sizeBytes'),
    mode: number(message, 'mode'),
    modifiedMs: number(message, 'modifiedMs', MAX_TIME_MS, -MAX_TIME_MS),
  }
}

/** Reduces the worker's text to one line without control characters, for errors and logs. */
export function printable(reason: string): string {
  return startOf(reason, MAX_REASON_LENGTH)
    .toWellFormed()
    .replace(/[\p{Cc}\p{Cf}]+/gu, ' ')
}
