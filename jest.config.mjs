// One jest project per cost class, so that `npm run check` can leave the slow one out.
// The SDK's advice to move on to Node 22 would stand between the results.
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED = 'true';

const common = {
  testEnvironment: 'node',
  transform: { '\\.ts$': '<rootDir>/test/support/typescript.cjs' },
};

// Fuzzing, another client of AWS, a browser, and what has to let seconds pass: pauses, patience, retries.
const slow = [
  'test/fuzz/',
  'test/adapters/aws/holders',
  'test/adapters/aws/permissionProof',
  'test/adapters/slapi/reconnect',
  'test/control/server',
  'test/lab/awscli/awscli',
  'test/report/browser',
  'test/runtime/loop',
  'test/runtime/watchdog',
  'test/status/dashboard',
  'test/store/retries',
].map((path) => `<rootDir>/${path}`);

export default {
  // Only ends what will never end: how fast something is stands in the bench. More than the patience of test/support/eventually.ts.
  testTimeout: 120_000,
  projects: [
    {
      ...common,
      displayName: 'fast',
      testMatch: ['<rootDir>/test/**/*.test.ts'],
      testPathIgnorePatterns: [
        '/node_modules/',
        '<rootDir>/test/e2e/',
        '<rootDir>/test/package/',
        '<rootDir>/test/traffic/',
        '<rootDir>/test/openstack/',
        ...slow,
      ],
    },
    {
      ...common,
      displayName: 'slow',
      testMatch: slow.map((path) => `${path}*.test.ts`),
    },
    { ...common, displayName: 'e2e', testMatch: ['<rootDir>/test/e2e/**/*.test.ts'] },
    { ...common, displayName: 'traffic', testMatch: ['<rootDir>/test/traffic/**/*.test.ts'] },
    { ...common, displayName: 'openstack', testMatch: ['<rootDir>/test/openstack/**/*.test.ts'] },
    { ...common, displayName: 'package', testMatch: ['<rootDir>/test/package/**/*.test.ts'] },
  ],
};
