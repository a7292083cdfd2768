// Plays a slot's thread for the door: runs each job, blocking the thread, and reports its outcome. Test code only.
import { parentPort, workerData } from 'node:worker_threads'
import { HostCalls } from '../../dist/workers/host/host-calls.js'

const calls = new HostCalls(workerData.wire)
const interrupt = new Int32Array(workerData.interrupt)
const isInterrupted = () => Atomics.load(interrupt, 0) !== 0
const never = Number.POSITIVE_INFINITY

/** Waits for an answer and takes it. @returns the answer as text, or why there is none */
function next(milliseconds) {
  const outcome = calls.wait(milliseconds, isInterrupted)
  return outcome === 'ready' ? Buffer.from(calls.take()).toString() : outcome
}

const jobs = {
  ask: (text) => [calls.send(Uint8Array.from(Buffer.from(text))), next(never)],
  send: (text, times = 1) =>
    Array.from({ length: times }, () => calls.send(Uint8Array.from(Buffer.from(text)))),
  large: (bytes) => {
    calls.send(new Uint8Array(bytes).fill(7))
    calls.wait(never, isInterrupted)
    const { nextBytes } = calls
    const answer = calls.take()
    return [nextBytes, answer.length, answer.every((byte) => byte === 7)]
  },
  next,
  state: () => [calls.nextBytes, calls.take() === undefined],
  reset: () => calls.reset(),
  raw: (message) => workerData.wire.port.postMessage(message),
}

parentPort.on('message', ([name, ...args]) => parentPort.postMessage(jobs[name](...args)))
