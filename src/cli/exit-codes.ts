// The exit codes of `brumate`, of all commands alike. docs/cli.md lists them.

export const EXIT_FAILED = 1
export const EXIT_USAGE = 2
/** That of timeout(1). */
export const EXIT_TIMEOUT = 124
/** As shells have it for a program that SIGINT ended. */
export const EXIT_INTERRUPTED = 130
/** As shells have it for a program that SIGPIPE ended: nobody reads the output any more. */
export const EXIT_BROKEN_PIPE = 141
