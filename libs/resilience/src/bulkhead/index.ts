export { Bulkhead, type BulkheadCall, type BulkheadOptions, type Release } from './bulkhead.js';
