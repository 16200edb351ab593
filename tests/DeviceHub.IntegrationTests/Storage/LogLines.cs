using Microsoft.Extensions.Logging;

namespace DeviceHub.IntegrationTests.Storage;

/// <summary>The names and words of what was logged, by whomever.</summary>
/// <param name="from">What is less is not kept.</param>
internal sealed class LogLines(LogLevel from = LogLevel.Trace)
{
    private readonly List<string> lines = [];

    public List<string> All
    {
        get
        {
            lock (lines)
            {
                return [.. lines];
            }
        }
    }

    public ILogger<T> Of<T>() => new Log<T>(lines, from);

    private sealed class Log<T>(List<string> lines, LogLevel from) : ILogger<T>
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= from;

        void ILogger.Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (IsEnabled(logLevel))
            {
                lock (lines)
                {
                    lines.Add($"{eventId.Name}: {formatter(state, exception)}");
                }
            }
        }
    }
}
