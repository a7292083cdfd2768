// A process that opens an image with pandas, and ends after the first result of pandas. Argument: the image's file.
import { Image, SessionManager } from 'brumate'

const image = await Image.load(process.argv[2] ?? '')
const manager = await SessionManager.create({ image })
const session = await manager.createSession()
const { value } = await session.execute(
  "import pandas as pd\nint(pd.DataFrame({'a': [1, 2, 3]}).sum().iloc[0])",
)
process.exit(value === 6 ? 0 : 1)
