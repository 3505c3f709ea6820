import type { MappedTable } from './mapped-table.js';

/** The map as a table of Markdown, for `docs/privacy.md`. */
export function dataMapTable(map: readonly MappedTable[]): string {
  const rows = map.map((entry) => [
    `\`${entry.table}\``,
    entry.holds,
    copyOf(entry),
    erasureOf(entry),
    TENANTS[entry.tenant],
  ]);
  const head = [
    ['Table', 'Holds', 'In a copy', 'When a person is erased', 'When a tenant is deleted'],
    ['---', '---', '---', '---', '---'],
  ];
  return `${[...head, ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n')}\n`;
}

const TENANTS = {
  deleted: 'deleted',
  'with tenant': 'goes with it',
  kept: 'kept',
  none: '–',
};

function copyOf({ exported, of, secrets }: MappedTable): string {
  if (!exported) return '–';
  const whose = of ? 'a person’s, the tenant’s' : 'the tenant’s';
  return secrets ? `${whose}; without ${secrets.map((column) => `\`${column}\``).join(', ')}` : whose;
}

function erasureOf({ erased, unlinked }: MappedTable): string {
  const parts = [
    ...(erased ? [wordsOf(erased)] : []),
    ...(unlinked ?? []).map(({ set }) => `\`${set.replaceAll('$3', 'heir')}\` where he is named`),
  ];
  return parts.join('; ') || '–';
}

function wordsOf(erased: NonNullable<MappedTable['erased']>): string {
  if (erased === 'deleted') return 'deleted';
  if ('with' in erased) return `goes with \`${erased.with}\``;
  return 'step' in erased ? erased.step : `kept: ${erased.kept}`;
}
