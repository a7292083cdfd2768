// A program that a bundler makes CommonJS of, which has no `await` at its top level.
import { SessionManager } from 'brumate'

SessionManager.create().catch((error) => console.log(`${error.name} ${error.code}: ${error.message}`))
