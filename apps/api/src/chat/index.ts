export { ChatModule } from './chat.module.js';
export { conversationsSection } from './chat.config.js';
