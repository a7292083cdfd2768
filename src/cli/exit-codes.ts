// The exit codes of `brumate`, the same for all commands. docs/cli.md lists them.

export const EXIT_FAILED = 1
export const EXIT_USAGE = 2
/** Same as timeout(1). */
export const EXIT_TIMEOUT = 124
/** What shells report for a program that SIGINT ended. */
export const EXIT_INTERRUPTED = 130
/** What shells report for a program that SIGPIPE ended, because nobody reads its output any more. */
export const EXIT_BROKEN_PIPE = 141
