/** A certificate for loopback. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const pemPath = (name: string) => join(__dirname, 'tls', name);

export const certPath = pemPath('test-only-cert.pem');
export const keyPath = pemPath('test-only-key.pem');
export const certPem = readFileSync(certPath, 'utf8');
export const keyPem = readFileSync(keyPath, 'utf8');
