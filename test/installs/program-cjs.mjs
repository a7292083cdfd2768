// A program that bundlers turn into CommonJS, which has no top-level `await`.
import { SessionManager } from 'brumate'

SessionManager.create().catch((error) => console.log(`${error.name} ${error.code}: ${error.message}`))
