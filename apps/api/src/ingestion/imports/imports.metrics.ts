import { counter, histogram } from '#libs/observability';

export const importItems = counter({
  name: 'navigator_import_items_total',
  help: 'Files of imports by what became of them: accepted, refused, unpacked, deferred, released or lost',
  labelNames: ['kind', 'outcome'],
});
export const importSeconds = histogram({
  name: 'navigator_import_seconds',
  help: 'How long imports took from their request until all their documents rested',
});
