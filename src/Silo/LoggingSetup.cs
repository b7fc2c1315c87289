using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Console;

namespace Resources.Silo;

/// <summary>Logs: one line of JSON in production, short lines for people in Development.</summary>
public static class LoggingSetup
{
    public static void AddLogging(this IHostApplicationBuilder builder) =>
        Configure(builder.Logging, builder.Environment);

    /// <summary>A logger for what happens before the host is built.</summary>
    public static ILoggerFactory CreateStartupLogs(this IHostApplicationBuilder builder) =>
        LoggerFactory.Create(logging =>
        {
            logging.AddConfiguration(builder.Configuration.GetSection("Logging"));
            Configure(logging, builder.Environment);
        });

    static void Configure(ILoggingBuilder logging, IHostEnvironment environment)
    {
        logging.ClearProviders();
        if (environment.IsDevelopment())
            logging.AddSimpleConsole(console =>
            {
                console.SingleLine = true;
                console.TimestampFormat = "HH:mm:ss ";
                console.ColorBehavior = LoggerColorBehavior.Default;
            });
        else
            logging
                .AddConsole(console => console.FormatterName = JsonLines.Name)
                .AddConsoleFormatter<JsonLines, ConsoleFormatterOptions>();
        foreach (var library in new[] { "Microsoft", "Orleans", "Npgsql", "Marten", "JasperFx", "Polly" })
            logging.AddFilter(library, LogLevel.Warning);
        // The framework would log every guest.
        logging.AddFilter("Resources.Api.CallerHandler", LogLevel.Warning);
        // Nothing here is protected by it: tokens are signed with keys of our own.
        logging.AddFilter("Microsoft.AspNetCore.DataProtection", LogLevel.Error);
        // A client that waits for nodes would say so again and again; the start says it once.
        logging.AddFilter("Orleans.Messaging.GatewayManager", LogLevel.Error);
        // Its first look counts from the machine's start and always warns.
        logging.AddFilter("Orleans.Runtime.Watchdog", LogLevel.Error);
    }
}
