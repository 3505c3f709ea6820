export { PrivacyModule } from './privacy.module.js';
export { privacySection } from './privacy.config.js';
export { DATA_MAP } from './map/data-map.js';
export { dataMapTable } from './map/data-map-table.js';
export { isOf, type MappedTable } from './map/mapped-table.js';
