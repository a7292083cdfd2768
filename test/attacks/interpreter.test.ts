// Attacks of level L1 that damage what they run on, or never end: interpreter, stack, kernel, time. Each call ends with a result or a
// typed error, the session keeps its state, and no other session is affected.
import { testPython } from './support/python.js'

testPython(['interpreter', 'stack', 'kernel', 'time', 'late-effects'])
