using System.Text.Json;
using Resources.Grains;

namespace Resources.Domain.Tests;

/// <summary>The commands of an account, through the serialiser that sends them to other nodes.</summary>
public class AccountMessageTests
{
    [Fact]
    public void Every_command_arrives_with_all_its_members() => Assert.All(AccountScenario.Commands, command =>
        {
            var arrived = SerializationTests.Sent(command);
            Assert.Equal(command.GetType(), arrived.GetType());
            Assert.Equal(Members(command), Members(arrived));
        });

    static string Members(AccountCommand command) => JsonSerializer.Serialize(command, command.GetType());
}
