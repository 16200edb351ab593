using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace DeviceHub.Tests;

/// <summary>Keeps what a hub in this process logs as an error, so that a fixture can fail on it.</summary>
internal sealed class ErrorCollector(ConcurrentQueue<string> errors) : ILoggerProvider, ILogger
{
    public ILogger CreateLogger(string categoryName) => this;

    public void Dispose()
    {
    }

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Error;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (IsEnabled(logLevel))
        {
            errors.Enqueue($"{eventId.Name}: {formatter(state, exception)} {exception}");
        }
    }
}
