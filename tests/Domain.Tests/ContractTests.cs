using System.Reflection;
using System.Text;
using System.Text.Json;
using Orleans;
using Resources.Grains;

namespace Resources.Domain.Tests;

/// <summary>
/// What is stored, and what nodes of different versions send each other. A change fails with a readable difference.
/// Accept it into Contracts.approved.txt only if old events and old nodes remain compatible.
/// </summary>
public class ContractTests
{
    static readonly Assembly Grains = typeof(EventKinds).Assembly;

    static readonly EventKinds Kinds = new();

    static readonly Guid Id = Guid.Parse("0190163d-8694-739b-aea5-966c26f8ad90");

    static readonly Dictionary<Type, object> Samples = new object[]
    {
        new LogTimelineChanged(2, 1042, 1, 2),
        new LogRestored(2, 1042),
        new ResourceCreated("book", "Faust", "active", Story.Text("""{"price":9.50}"""), Id.ToString()),
        new ResourceReplaced("Faust", "active", Story.Text("""{"price":9.50}"""), ["/name"]),
        new ResourceRenamed("Faust", ["/name"]),
        new ResourceMetadataChanged(Story.Text("""{"price":9.50}"""), ["/metadata/price"]),
        new ResourceStatusChanged("active", ["/status"]),
        new ResourceChanged("Faust", "active", Story.Text("""{"price":9.50}"""), ["/name", "/status"]),
        new ResourceDeleted(),
        new ResourceRestored("Faust", "active", Story.Text("""{"price":9.50}"""), ["/name", "/status"]),
        new ResourceMigrated("active", Story.Text("""{"price":9.50}"""), ["/metadata/price"]),
        new TypeChangeProposed(
            "book",
            Id,
            "change",
            Story.Text("""{"name":"book"}"""),
            new() { ["isbn"] = 1 },
            Story.Text("""{"operations":[{"op":"remove","path":"/metadata/price"}]}""")
        ),
        new TypeMigrationBegun(Id),
        new TypeMigrationClosing(Id),
        new TypeChanged("book", Id, Story.Text("""{"name":"book"}"""), new() { ["isbn"] = 1 }, 3, 2),
        new TypeChangeAbandoned(Id, "breaks_data", 2, 1, [new(Id, 7, [new("/metadata/isbn", "REQUIRED", "Missing.")])]),
        new TypeDeleted(Id),
        new AccountRegistered(Id, Id, ["user"], true),
        new AccountEmailVerified(),
        new AccountPasswordChanged(Id, "change", Id),
        new AccountSessionsEnded(Id),
        new AccountRolesChanged(["user"]),
        new AccountDisabled(),
        new AccountEnabled(),
        new AccountDeleted(),
        new AccountLoginFailed("password"),
        new AccountTotpEnrolled(Id),
        new AccountTotpConfirmed(1),
        new AccountTotpAccepted(2),
        new AccountTotpRemoved(),
        new AccountRecoveryCodesIssued(Id, 10),
        new AccountRecoveryCodeUsed(1),
        new AccountPasskeyAdded(Id, Id, 0),
        new AccountPasskeyUsed(Id, 1),
        new AccountPasskeyRemoved(Id),
        new SessionStarted(Id, 1, "token", ["pwd"], Story.At(1), "curl"),
        new SessionRefreshed(),
        new SessionAuthenticated(["pwd"]),
        new SessionUsed(),
        new SessionEnded("logout"),
        new RoleCreated("mechanic", ["resource:read"]),
        new RoleChanged("mechanic", ["resource:read"]),
        new RoleDeleted("mechanic"),
        new DocumentStored("ecf4edb46db40b51", "{ __typename }"),
        new DocumentRemoved("ecf4edb46db40b51"),
        new AdministratorAdded(Id),
        new AdministratorRemoved(Id),
        new ApiKeyCreated(Id, "import", "00", ["resource:read"], Story.At(1)),
        new ApiKeyRevoked(),
        new SubscriptionCreated(Id, "books", new("book"), Story.Text("""{"kind":"pull"}"""), 7, Id, Id),
        new SubscriptionPaused(),
        new SubscriptionResumed(),
        new SubscriptionDisabled("The target answered 410 Gone."),
        new SubscriptionSecretRotated(Id, Story.At(1)),
        new SubscriptionReplayed(7, null),
        new SubscriptionDeleted(),
        new AuditRead("?limit=50"),
        new AccessRefused("GET", "/api/v1/users", "FORBIDDEN"),
        new ApiKeyRefused("GET", "/api/v1/me", Id),
        new RefusalsLeftOut(12),
        new SigningKeyRotated(),
        new SigningKeyWithdrawn("01a211b9faa87e3b82b418342f59931d"),
        new FollowerRebuildRequested("resource_views"),
        new FollowerResumed("resource_views"),
        new FollowerEventSkipped("resource_views", 7, "written by a build that was withdrawn"),
    }.ToDictionary(sample => sample.GetType());

    [Fact]
    public void Stored_names_and_wire_names_match_the_approved_list()
    {
        var approved = Path.Combine(Repository.Root, "tests/Domain.Tests/Contracts.approved.txt");
        var now = Describe();
        var was = File.Exists(approved) ? File.ReadAllText(approved).ReplaceLineEndings("\n") : "";
        if (now == was)
            return;
        string[] before = was.Split('\n'),
            after = now.Split('\n');
        Assert.Fail(
            "The contracts changed. Lost lines (-) break old events or old nodes; new lines (+) are promises from now on.\n"
                + string.Join(
                    '\n',
                    [
                        .. before.Except(after).Select(line => "- " + line),
                        .. after.Except(before).Select(line => "+ " + line),
                    ]
                )
                + $"\n\nIf that is meant, this is the new tests/Domain.Tests/Contracts.approved.txt:\n\n{now}"
        );
    }

    [Fact]
    public void Every_event_has_a_unique_stored_name()
    {
        Assert.Equal(Events().Order(ByName), Kinds.All.Select(kind => kind.Type).Order(ByName));
    }

    [Fact]
    public void Every_event_evolves_its_state()
    {
        foreach (var type in Events())
            Assert.NotNull(
                Samples[type] switch
                {
                    ResourceEvent e => (object)
                        Resource.Evolve(e is ResourceCreated ? null : Story.Fold([Story.Created]).State, Record(e)),
                    AccountEvent e => Account.Evolve(
                        e is AccountRegistered
                            ? null
                            : Account.Evolve(null, Record<AccountEvent>(new AccountRegistered(Id, null, [], false))),
                        Record(e)
                    ),
                    SessionEvent e => Session.Evolve(
                        e is SessionStarted
                            ? null
                            : Session.Evolve(
                                null,
                                Record<SessionEvent>(new SessionStarted(Id, 1, "token", [], Story.At(1), null))
                            ),
                        Record(e)
                    ),
                    RoleEvent e => RoleBook.Evolve(null, Record(e)),
                    DocumentEvent e => DocumentBook.Evolve(null, Record(e)),
                    ApiKeyEvent e => ApiKey.Evolve(
                        e is ApiKeyCreated
                            ? null
                            : ApiKey.Evolve(null, Record<ApiKeyEvent>(new ApiKeyCreated(Id, "", "", [], null))),
                        Record(e)
                    ),
                    SubscriptionEvent e => SubscriptionSettings.Evolve(
                        e is SubscriptionCreated
                            ? null
                            : SubscriptionSettings.Evolve(
                                null,
                                Record<SubscriptionEvent>(
                                    new SubscriptionCreated(Id, "", new(), JsonText.Empty, 0, null)
                                )
                            ),
                        Record(e)
                    ),
                    TypeEvent e => TypeState.Evolve(
                        e is TypeChangeProposed or TypeChanged
                            ? null
                            : TypeState.Evolve(
                                TypeState.Evolve(
                                    null,
                                    Record<TypeEvent>(new TypeChanged("book", Id, JsonText.Empty, []))
                                ),
                                Record((TypeEvent)Samples[typeof(TypeChangeProposed)])
                            ),
                        Record(e)
                    ),
                    // Told, and folded by nobody.
                    LogEpochEvent or AuditEvent => Samples[type],
                    _ => null,
                }
            );

        static Recorded<T> Record<T>(T happened) => new(happened, 2, 2, Story.At(2), Story.Alice);
    }

    [Fact]
    public void Every_event_type_is_public_and_sealed() =>
        Assert.All(Events(), type => Assert.True(type.IsSealed && type.IsPublic, type.Name));

    [Fact]
    public void Every_grain_and_every_message_has_an_alias()
    {
        Assert.All(GrainInterfaces(), type => Assert.NotNull(AliasOf(type)));
        Assert.All(GrainInterfaces().SelectMany(type => type.GetMethods()), method => Assert.NotNull(AliasOf(method)));
        Assert.All(Messages(), type => Assert.NotNull(AliasOf(type)));
        // Orleans reads back the alias of a generic type only if it ends as its name does.
        Assert.All(Messages().Where(type => type.IsGenericType), type =>
            Assert.EndsWith("`" + type.GetGenericArguments().Length, AliasOf(type), StringComparison.Ordinal)
        );
    }

    static readonly Comparer<Type> ByName = Comparer<Type>.Create(
        (a, b) => string.CompareOrdinal(a.FullName, b.FullName)
    );

    static readonly Type[] Aggregates =
    [
        typeof(LogEpochEvent),
        typeof(ResourceEvent),
        typeof(AccountEvent),
        typeof(SessionEvent),
        typeof(RoleEvent),
        typeof(DocumentEvent),
        typeof(TypeEvent),
        typeof(ApiKeyEvent),
        typeof(SubscriptionEvent),
        typeof(AuditEvent),
    ];

    static IEnumerable<Type> Events() =>
        Grains.GetTypes().Where(type => Aggregates.Any(type.IsSubclassOf) && !type.IsAbstract);

    static IEnumerable<Type> GrainInterfaces() =>
        Grains.GetTypes().Where(type => type.IsInterface && typeof(IGrain).IsAssignableFrom(type)).Order(ByName);

    static IEnumerable<Type> Messages() =>
        Grains
            .GetTypes()
            .Where(type => type.GetCustomAttribute<GenerateSerializerAttribute>() is not null)
            .Order(ByName);

    static string? AliasOf(MemberInfo member) => member.GetCustomAttribute<AliasAttribute>(inherit: false)?.Alias;

    static string Describe()
    {
        var text = new StringBuilder("Stored events: name, and a sample of its JSON.\n");
        foreach (var kind in Kinds.All)
            text.Append($"  {kind.Name} {JsonSerializer.Serialize(Samples[kind.Type], kind.Type, EventKinds.Json)}\n");
        text.Append("\nGrains: alias of the interface, of its methods, and what they take.\n");
        foreach (var type in GrainInterfaces())
        {
            text.Append($"  {AliasOf(type)}\n");
            foreach (var method in type.GetMethods().OrderBy(AliasOf, StringComparer.Ordinal))
            {
                var parameters = method.GetParameters().Select(parameter => Named(parameter.ParameterType));
                text.Append($"    {AliasOf(method)}({string.Join(", ", parameters)}) -> {Named(method.ReturnType)}\n");
            }
        }
        text.Append("\nMessages: alias, and the members in the order that numbers them.\n");
        foreach (var type in Messages().OrderBy(AliasOf, StringComparer.Ordinal))
            text.Append($"  {AliasOf(type)}({Members(type)})\n");
        text.Append("\nEnumerations in messages: names in the order that numbers them.\n");
        foreach (
            var type in new[] { typeof(PatchFormat), typeof(Refusal), typeof(SettlementKind), typeof(PasswordMeans) }
        )
            text.Append(
                $"  {type.Name}: {string.Join(" ", Enum.GetNames(type).Select(name => $"{name}={(int)Enum.Parse(type, name)}"))}\n"
            );
        return text.ToString();
    }

    /// <summary>Orleans numbers a record's members by the order of its parameters, and fields by their Id.</summary>
    static string Members(Type type)
    {
        const BindingFlags All =
            BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly;
        var numbered = type.GetFields(All)
            .Where(field => field.GetCustomAttribute<IdAttribute>() is not null)
            .Select(field => $"{field.GetCustomAttribute<IdAttribute>()!.Id} {Named(field.FieldType)}")
            .ToArray();
        if (numbered is not [])
            return string.Join(", ", numbered);
        var isRecord = type.GetMethod("<Clone>$") is not null;
        var constructor = isRecord ? type.GetConstructors().FirstOrDefault() : null;
        return string.Join(
            ", ",
            constructor
                ?.GetParameters()
                .Select((parameter, i) => $"{i} {parameter.Name} {Named(parameter.ParameterType)}")
                ?? []
        );
    }

    static string Named(Type type) =>
        Nullable.GetUnderlyingType(type) is { } inner ? Named(inner) + "?"
        : type.IsArray ? Named(type.GetElementType()!) + "[]"
        : type.IsGenericType
            ? $"{type.Name.Split('`')[0]}<{string.Join(", ", type.GetGenericArguments().Select(Named))}>"
        : AliasOf(type) ?? type.Name;
}
