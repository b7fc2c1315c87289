using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Resources.Silo;

/// <summary>Reads option classes from the configuration and reports the faults of all of them in one message.</summary>
public sealed class Settings(IConfiguration configuration, IHostEnvironment environment)
{
    readonly List<string> faults = [];
    readonly Dictionary<Type, object> read = [];

    /// <summary>The sections that have been read, and those of the framework.</summary>
    readonly HashSet<string> sections = new(StringComparer.OrdinalIgnoreCase)
    {
        "ConnectionStrings",
        "Logging",
        "Kestrel",
        "AllowedHosts",
    };

    /// <summary>Whether this is a developer's machine, where some options may be missing.</summary>
    public bool IsDevelopment { get; } = environment.IsDevelopment();

    /// <summary>The configuration itself, for what is no option class.</summary>
    public IConfiguration Configuration { get; } = configuration;

    /// <summary>
    /// Reads a section into an option class, once: defaults from the class, unknown keys and values out of range are
    /// faults.
    /// </summary>
    public T Read<T>(string section)
        where T : class, new()
    {
        if (read.TryGetValue(typeof(T), out var known))
            return (T)known;
        var options = new T();
        read.Add(typeof(T), options);
        sections.Add(section);
        try
        {
            MembersOf(section).Bind(options, binder => binder.ErrorOnUnknownConfiguration = true);
        }
        catch (InvalidOperationException e)
        {
            faults.Add($"{section}: {(e.InnerException ?? e).Message}");
        }
        Validate(options, section);
        return options;
    }

    /// <summary>
    /// A section without a value of its own. The environment may have one under the same name that is none of ours: login
    /// shells set MAIL.
    /// </summary>
    IConfiguration MembersOf(string section) =>
        new ConfigurationBuilder()
            .AddInMemoryCollection(
                Configuration
                    .GetSection(section)
                    .AsEnumerable(makePathsRelative: true)
                    .Where(member => member is { Key: not "", Value: not null })
            )
            .Build();

    /// <summary>Reads a section as <see cref="Read"/> does and registers it for those that need it.</summary>
    public T Add<T>(IServiceCollection services, string section)
        where T : class, new()
    {
        var options = Read<T>(section);
        services.AddSingleton(options);
        return options;
    }

    /// <summary>Adds a fault that concerns several options.</summary>
    public void Ensure(bool holds, string fault)
    {
        if (!holds)
            faults.Add(fault);
    }

    /// <summary>The framework validates one level; options may have options as members.</summary>
    void Validate(object options, string section)
    {
        var results = new List<ValidationResult>();
        Validator.TryValidateObject(options, new(options), results, validateAllProperties: true);
        faults.AddRange(
            results.Select(result => $"{section}:{string.Join(',', result.MemberNames)}: {result.ErrorMessage}")
        );
        foreach (var member in options.GetType().GetProperties())
            if (
                member.PropertyType.IsClass
                && member.PropertyType.Assembly == options.GetType().Assembly
                && member.GetValue(options) is { } inner
            )
                Validate(inner, $"{section}:{member.Name}");
    }

    /// <summary>
    /// Adds sections that are almost called like one that is known. Others are none of ours: the environment has many.
    /// </summary>
    void NameUnknown()
    {
        foreach (var section in Configuration.GetChildren().Where(section => section.GetChildren().Any()))
            if (!sections.Contains(section.Key) && Nearest(sections, section.Key) is { } meant)
                faults.Add($"{section.Key}: There is no such section. Did you mean {meant}?");
        foreach (var name in Configuration.GetSection("ConnectionStrings").GetChildren().Select(child => child.Key))
            if (
                !name.Equals("Resources", StringComparison.OrdinalIgnoreCase)
                && Nearest(["Resources"], name) is { } meant
            )
                faults.Add($"ConnectionStrings:{name}: There is no such connection. Did you mean {meant}?");
    }

    static string? Nearest(IEnumerable<string> known, string name) =>
        known.Where(one => Distance(one.ToUpperInvariant(), name.ToUpperInvariant()) <= 2).Min(StringComparer.Ordinal);

    /// <summary>How many letters have to be added, removed or replaced to make one text of the other.</summary>
    static int Distance(string one, string other)
    {
        var row = Enumerable.Range(0, other.Length + 1).ToArray();
        for (var i = 1; i <= one.Length; i++)
        {
            var diagonal = row[0];
            row[0] = i;
            for (var j = 1; j <= other.Length; j++)
            {
                var above = row[j];
                row[j] = Math.Min(Math.Min(row[j], row[j - 1]) + 1, diagonal + (one[i - 1] == other[j - 1] ? 0 : 1));
                diagonal = above;
            }
        }
        return row[^1];
    }

    /// <summary>Ends the start with all faults at once.</summary>
    /// <exception cref="ConfigurationException">At least one option is wrong.</exception>
    public void ThrowIfFaulty()
    {
        NameUnknown();
        if (faults is not [])
            throw new ConfigurationException(
                "The configuration has faults:" + string.Concat(faults.Select(fault => "\n  - " + fault))
            );
    }
}

/// <summary>
/// What the operator has to mend before this node can start; the message says it all, a stack trace adds nothing.
/// </summary>
public class ConfigurationException(string message, Exception? cause = null) : Exception(message, cause);
