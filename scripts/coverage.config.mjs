// Jest's configuration for `npm run coverage`: what the tests of the core reach of it.
import base from '../jest.config.mjs';

const { transform, testEnvironment } = base.projects[0];

export default {
  rootDir: '..',
  transform,
  testEnvironment,
  testMatch: ['<rootDir>/test/core/**/*.test.ts', '<rootDir>/test/transcripts/**/*.test.ts'],
  // It starts the compiler and the linter, and reaches nothing.
  testPathIgnorePatterns: ['/node_modules/', '<rootDir>/test/core/purity'],
  maxWorkers: 2,
  collectCoverage: true,
  collectCoverageFrom: ['<rootDir>/src/core/**/*.ts'],
  // Counts operands, cases and defaults, where V8's own counts blocks.
  coverageProvider: 'babel',
  coverageDirectory: 'coverage/core',
  coverageReporters: ['json'],
};
