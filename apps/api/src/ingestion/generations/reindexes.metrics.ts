import { counter } from '#libs/observability';

export const reindexItems = counter({
  name: 'navigator_reindex_items_total',
  help: 'Documents of orders to make them anew, by what became of them and why',
  labelNames: ['outcome', 'reason'],
});
