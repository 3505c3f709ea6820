export { Loops, type WorkSource } from './loops.js';
