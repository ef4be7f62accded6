/** Builds `dist/`, the product as it runs. */
import { join } from 'node:path';
import { version } from '../package.json';
import { bundle } from './bundle';

void bundle(join(__dirname, '..', 'dist'), version);
