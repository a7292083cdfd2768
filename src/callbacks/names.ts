// Names a callback cannot have: a callback becomes a builtin of its session, and must not hide one of Python's. Owns the lists: CPython
// 3.14's `keyword.softkwlist` and `dir(builtins)`, and the kernel's own names. src/shared/python-keywords.ts owns the keywords.
import { KEYWORDS } from '../shared/python-keywords.js'

const SOFT_KEYWORDS = 'case match type'

const BUILTINS = `
  ArithmeticError AssertionError AttributeError BaseException BaseExceptionGroup BlockingIOError BrokenPipeError BufferError
  BytesWarning ChildProcessError ConnectionAbortedError ConnectionError ConnectionRefusedError ConnectionResetError
  DeprecationWarning EOFError Ellipsis EncodingWarning EnvironmentError Exception ExceptionGroup FileExistsError
  FileNotFoundError FloatingPointError FutureWarning GeneratorExit IOError ImportError ImportWarning IndentationError
  IndexError InterruptedError IsADirectoryError KeyError KeyboardInterrupt LookupError MemoryError ModuleNotFoundError
  NameError NotADirectoryError NotImplemented NotImplementedError OSError OverflowError PendingDeprecationWarning
  PermissionError ProcessLookupError PythonFinalizationError RecursionError ReferenceError ResourceWarning RuntimeError
  RuntimeWarning StopAsyncIteration StopIteration SyntaxError SyntaxWarning SystemError SystemExit TabError TimeoutError
  TypeError UnboundLocalError UnicodeDecodeError UnicodeEncodeError UnicodeError UnicodeTranslateError UnicodeWarning
  UserWarning ValueError Warning ZeroDivisionError _ abs aiter all anext any ascii bin bool breakpoint bytearray bytes
  callable chr classmethod compile complex copyright credits delattr dict dir divmod enumerate eval exec exit filter float
  format frozenset getattr globals hasattr hash help hex id input int isinstance issubclass iter len license list locals map
  max memoryview min next object oct open ord pow print property quit range repr reversed round set setattr slice sorted
  staticmethod str sum super tuple vars zip brumate tools
`

const TAKEN: ReadonlySet<string> = namesIn(`${KEYWORDS} ${SOFT_KEYWORDS} ${BUILTINS}`)

/** Returns what a name should be if it is invalid, as a part of a message. */
export function faultOfName(name: string): string | undefined {
  if (!/^[A-Za-z][A-Za-z0-9_]{0,99}$/.test(name))
    return 'a name of up to 100 letters, digits and _ that begins with a letter'
  return TAKEN.has(name) ? 'a name that is not a keyword or builtin of Python' : undefined
}

function namesIn(text: string): ReadonlySet<string> {
  return new Set(text.trim().split(/\s+/))
}
