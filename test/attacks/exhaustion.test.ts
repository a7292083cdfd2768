// Attacks of level L1 that exhaust resources: memory, files, output, and the main thread's time for values and host calls. Each hits the
// session's own limit, and the process neither grows nor stalls.
import { testPython } from './support/python.js'

testPython(['memory', 'file-quota', 'output', 'bombs', 'values', 'host-calls'])
