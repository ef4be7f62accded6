// A jest reporter that says at the very end, on a line of its own, how many tests have passed.
module.exports = class ClosingLine {
  onRunComplete(_contexts, { numPassedTests, numFailedTests, numRuntimeErrorTestSuites }) {
    process.on('exit', () => {
      process.stdout.write(
        `${numPassedTests} passed, ${numFailedTests + numRuntimeErrorTestSuites} failed\n`,
      );
    });
  }
};
