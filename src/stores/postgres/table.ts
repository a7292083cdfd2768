// The tables of a PostgresStore, for sessions and their deltas. Owns columns, names, and the encoding of ids as text, but no statement that
// reads or writes rows.
import { InvalidOptionError, StoreError } from '../../shared/errors.js'
import { MAX_ID_BYTES } from '../../store/arguments.js'

/** At most 56 characters: with the suffix of the table of deltas, that makes PostgreSQL's limit of 63. */
const NAME = /^[A-Za-z_][A-Za-z0-9_]{0,55}$/
/** The character that sorts last in UTF-8; it takes four bytes. */
const LAST = '\u{10ffff}'

export function quoteTable(table: string): string {
  const parts = typeof table === 'string' ? table.split('.') : []
  if (parts.length >= 1 && parts.length <= 2 && parts.every((part) => NAME.test(part)))
    return parts.map((part) => `"${part}"`).join('.')
  throw new InvalidOptionError(
    'table',
    'a name of at most 56 letters, digits and "_", with or without a schema',
    table,
  )
}

/** The table of deltas. @param table quoted */
export function deltaTableOf(table: string): string {
  return `${table.slice(0, -1)}_deltas"`
}

/** One statement. The snapshot's storage is `external`, because it is already compressed, and so that parts of it can be read alone. */
export function migrationOf(table: string): string {
  return `do $$ begin
  if to_regclass('${table}') is null then
    create table ${table} (
      id text collate "C" primary key,
      generation bigint not null,
      bytes_generation bigint not null,
      bytes bytea not null,
      size bigint not null,
      deltas int not null default 0,
      delta_bytes bigint not null default 0,
      record json not null,
      owner text,
      expires_at timestamptz,
      created_at timestamptz not null,
      updated_at timestamptz not null
    ) with (fillfactor = 80);
    alter table ${table} alter column bytes set storage external;
    create table ${deltaTableOf(table)} (
      id text collate "C" not null references ${table} on delete cascade,
      generation bigint not null,
      bytes bytea not null,
      primary key (id, generation)
    );
    alter table ${deltaTableOf(table)} alter column bytes set storage external;
  end if;
end $$`
}

/** Escapes NUL, which PostgreSQL's text cannot contain. Preserves the order of texts, and which text is a prefix of which. */
export function escapeText(text: string): string {
  return text.replaceAll('\x01', '\x01\x02').replaceAll('\0', '\x01\x01')
}

export function unescapeText(text: string): string {
  return text.replaceAll('\x01\x01', '\0').replaceAll('\x01\x02', '\x01')
}

/** An upper bound of the ids with `prefix`: they sort no later, and no other id sorts between them and this text. */
export function lastWithPrefix(prefix: string): string {
  return escapeText(prefix) + LAST.repeat(MAX_ID_BYTES / 2)
}

export function damagedRow(table: string, id: string): StoreError {
  const remedy = 'restore it from a backup, or delete the row to discard the session'
  return new StoreError(`the row ${JSON.stringify(id)} of ${table} is damaged; ${remedy}`, {
    reason: 'damaged',
    sessionId: id,
  })
}
