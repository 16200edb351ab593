using System.Globalization;
using Microsoft.Extensions.Logging;

namespace DeviceHub.Tools.Demo;

/// <summary>The hub's log in lines, away from the screen and from standard output.</summary>
internal sealed class DemoLog(TextWriter writer) : ILoggerProvider
{
    private readonly Lock gate = new();

    public ILogger CreateLogger(string categoryName) => new Category(this, categoryName);

    public void Dispose()
    {
        lock (gate)
        {
            writer.Flush();
        }
    }

    private void Write(LogLevel level, string category, string message, Exception? exception)
    {
        lock (gate)
        {
            writer.WriteLine(string.Create(
                CultureInfo.InvariantCulture, $"{TimeProvider.System.GetUtcNow():yyyy-MM-dd'T'HH:mm:ss.fff'Z'} {level,-11} {category}: {message}{(exception is null ? "" : " " + exception)}"));
            writer.Flush();
        }
    }

    private sealed class Category(DemoLog log, string name) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Information && logLevel != LogLevel.None;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (IsEnabled(logLevel))
            {
                log.Write(logLevel, name, formatter(state, exception), exception);
            }
        }
    }
}
