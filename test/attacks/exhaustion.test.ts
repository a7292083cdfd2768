// Attacks of level L1 that take all there is: memory, files, output, the main thread's time for values and host calls. Each meets the
// session's own limit, and the process that holds the sessions neither grows nor stalls with it.
import { testPython } from './support/python.js'

testPython(['memory', 'file-quota', 'output', 'bombs', 'values', 'host-calls'])
