using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace Resources.Tests;

/// <summary>Keeps the errors of a log and, where asked to, all of it with the values behind each message.</summary>
sealed class KeptLog(ConcurrentQueue<string> errors, ConcurrentQueue<string>? all) : ILoggerProvider, ILogger
{
    public ILogger CreateLogger(string categoryName) => this;

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => all is not null || logLevel >= LogLevel.Error;

    public void Log<TState>(
        LogLevel logLevel,
        EventId eventId,
        TState state,
        Exception? exception,
        Func<TState, Exception?, string> formatter
    )
    {
        var text = $"{formatter(state, exception)} {exception}";
        if (logLevel >= LogLevel.Error)
            errors.Enqueue(text);
        all?.Enqueue(text + Values(state));
    }

    public void Dispose() { }

    static string Values<TState>(TState state) =>
        state is IEnumerable<KeyValuePair<string, object?>> values
            ? string.Join(' ', values.Select(value => $"{value.Key}={value.Value}"))
            : "";
}
