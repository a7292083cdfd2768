// Where tests put files that need no disk: creating one there takes a fraction of the processor time.
import { existsSync } from 'node:fs'
import { tmpdir } from 'node:os'

/** A folder in a memory file system if there is one, which has at least tens of megabytes. Otherwise the usual one. */
export const MEMORY_FOLDER = existsSync('/dev/shm') ? '/dev/shm' : tmpdir()
