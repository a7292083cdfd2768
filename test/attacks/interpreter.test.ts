// Attacks of level L1 that break what they run on or never end: interpreter, stack, kernel, time. The session ends each call with a
// result or a typed error, keeps its state, and nobody else notices.
import { testPython } from './support/python.js'

testPython(['interpreter', 'stack', 'kernel', 'time', 'late-effects'])
